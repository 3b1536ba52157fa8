package yaml

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// yamlDocument and jsonDocument are like OpenAPI documents, to be mutated.
const yamlDocument = `openapi: 3.1.0
info:
  title: Tea
  version: "1"
  description: >-
    Sells tea,
    by the ounce.
servers:
- url: https://api.tea-example.com
components:
  schemas:
    Tea: &tea
      type: object
      required: [id, name]
      properties:
        id: {type: string, description: "An id, such as \"a/1\""}
        name:
          type: string
          enum: [green, 'black', "white"]
        price: {type: [number, "null"], minimum: 0, exclusiveMinimum: 0.5}
paths:
  /teas/{id}:
    get:
      operationId: getTea   # camel case
      summary: 'One tea: it''s hot'
      description: |
        Returns one tea.

          - indented
      parameters:
        - name: id
          in: path
          required: true
          schema: {type: string}
      responses:
        "200":
          description: ok
          content:
            application/json:
              schema: *tea
        404: {description: none}
x-note: &n {a: 1}
x-more:
  <<: *n
  b: [1, 2,
    3]
`

const jsonDocument = `{
  "openapi": "3.1.0",
  "info": {"title": "Tea", "version": "1"},
  "servers": [{"url": "https:\/\/api.tea-example.com"}],
  "paths": {
    "/teas": {"get": {"operationId": "listTeas", "x": [1, 2.5, -3e4, true, null, "\u00e9\ud83c\udf75"]}}
  },
  "components": {"schemas": {}}
}
`

// generator writes texts that look like YAML, most of which are. One seed makes the same
// texts always.
type generator struct {
	random  *rand.Rand
	anchors []string // of the present document
}

// pick returns one of the words of a list, which are separated by ‖.
func (g *generator) pick(list string) string {
	words := strings.Split(list, "‖")
	return words[g.random.IntN(len(words))]
}

// one reports true once in so many times.
func (g *generator) one(in int) bool { return g.random.IntN(in) == 0 }

// anchor makes a name for one.
func (g *generator) anchor() string {
	g.anchors = append(g.anchors, fmt.Sprintf("a%d", len(g.anchors)+1))
	return g.anchors[len(g.anchors)-1]
}

const (
	numbers = "1‖0‖-1‖1.5‖1e3‖0x1F‖0o17‖017‖1_000‖.5‖.inf‖9007199254740993‖" +
		"12:30‖2020-01-01‖3.1.0‖1.0‖+12‖0.0‖-0"
	words  = "true‖false‖yes‖no‖on‖off‖null‖~‖True‖NULL‖y‖N‖"
	double = `‖x‖a b‖\n‖\u00e9‖\/‖\ud83c\udf75‖x \"y\"‖x: y‖# no‖\t\\‖{}‖*a`
	single = `‖x‖it''s‖a: b‖# no‖\n‖200‖true‖null‖<<‖é`
	texts  = "string‖object‖a b c‖https://api.example.com/v1‖#/components/x‖x#y‖a:b‖it's‖Lists " +
		"teas.‖x-y_z‖tea/{id}‖@x‖a, b‖(x)‖<<‖-1x‖Ünï‖🍵‖a - b‖? x‖- x‖x\"y\"‖%x‖`x`"
	names = `a‖b‖c‖d‖e‖get‖post‖/teas‖/teas/{id}‖200‖'200'‖"404"‖default‖` +
		`operationId‖summary‖x-y‖type‖$ref‖a b‖` +
		`properties‖é‖1‖true‖null‖<<‖'x y'‖__proto__‖1.5‖http://x`
)

func (g *generator) scalar() string {
	switch kind := g.random.IntN(10); {
	case kind == 0:
		return g.pick(numbers)
	case kind == 1:
		return g.pick(words)
	case kind == 2:
		return `"` + g.pick(double) + `"`
	case kind == 3:
		return "'" + g.pick(single) + "'"
	case kind == 4 && len(g.anchors) > 0:
		return "*" + g.anchors[g.random.IntN(len(g.anchors))] + " "
	case kind == 5 && g.one(2):
		return "&" + g.anchor() + " " + g.pick("x‖1‖'y'‖")
	case kind == 6 && g.one(2):
		return g.pick("!!str ‖!!int ‖!x ‖!!float ‖!!bool ‖!!null ‖! ") + g.pick("1‖x‖true‖'2'")
	}
	return g.pick(texts)
}

func (g *generator) comment() string {
	if g.one(12) {
		return g.pick(" # c‖ #c‖  # a: b‖\t# c‖#c‖ ‖\t")
	}
	return ""
}

// space returns what may stand between the parts of a flow collection.
func (g *generator) space() string { return g.pick("‖‖‖ ‖\n   ‖ # c\n  ‖\t") }

func (g *generator) flow(depth int) string {
	kind := g.random.IntN(5)
	if depth == 0 || kind > 2 {
		return g.scalar()
	}
	var parts []string
	for range g.random.IntN(4) {
		part := g.flow(depth - 1)
		if kind > 0 {
			part = g.pick(names) + g.pick(": ‖: ‖: ‖:‖‖ : ‖:\n  ") + part
		}
		parts = append(parts, g.space()+part+g.space())
	}
	inner := strings.Join(parts, ",") + g.pick("‖‖‖,")
	if kind == 0 {
		return "[" + inner + "]"
	}
	return "{" + inner + "}"
}

// blank returns a line without content, now and then.
func (g *generator) blank(indent string) string {
	if !g.one(15) {
		return ""
	}
	return strings.ReplaceAll(g.pick("\n‖  \n‖\t\n‖>># c\n‖# c\n‖>>\n‖ # c\n"), ">>", indent)
}

// properties returns those of a block collection, now and then.
func (g *generator) properties() string {
	switch g.random.IntN(14) {
	case 0:
		return " &" + g.anchor()
	case 1:
		return g.pick(" !!map‖ !x‖ !!seq‖ !!str‖ !<tag:x>")
	}
	return ""
}

// value returns what follows a key or a dash, up to the end of a line.
func (g *generator) value(indent string, depth int) string {
	separator := g.pick(" ‖ ‖ ‖ ‖  ‖\t")
	switch kind := g.random.IntN(10); {
	case kind < 4 && depth > 0:
		inner := indent + g.pick("  ‖  ‖  ‖ ‖    ")
		if g.one(12) {
			inner = indent
		}
		return g.properties() + g.comment() + "\n" + g.block(inner, depth-1)
	case kind == 4:
		return separator + g.flow(2) + g.comment() + "\n"
	case kind == 5:
		text := separator + g.pick("|‖>‖|-‖>-‖|+‖>+‖|2‖>1-") + g.comment() + "\n"
		for range g.random.IntN(4) {
			line := g.pick(">>  x\n‖>>  y z\n‖\n‖>>    more\n‖>>  \ttab\n‖" +
				">>  # no c\n‖>>  a: b\n‖>>   \n‖>> z\n")
			text += strings.ReplaceAll(line, ">>", indent)
		}
		return text
	case kind == 6:
		further := g.pick("  ‖ ‖    ‖\t‖") + g.pick("and more‖x‖'‖b: 1‖- x‖# c‖")
		return separator + g.scalar() + "\n" + indent + further + g.comment() + "\n"
	}
	return separator + g.scalar() + g.comment() + "\n"
}

func (g *generator) block(indent string, depth int) string {
	var b strings.Builder
	list := g.one(4)
	for range 1 + g.random.IntN(4) {
		b.WriteString(g.blank(indent))
		switch {
		case list && g.one(4):
			b.WriteString(indent + "-" + g.pick(" ‖ ‖   ‖\t") + strings.TrimLeft(g.block(indent+"  ", 0), " "))
		case list:
			b.WriteString(indent + "-" + g.value(indent, depth))
		case g.one(30):
			b.WriteString(indent + "?" + g.value(indent, depth))
			if !g.one(4) {
				b.WriteString(indent + ":" + g.value(indent, depth))
			}
		case g.one(20):
			b.WriteString(indent + g.scalar() + ":" + g.value(indent, depth))
		default:
			b.WriteString(indent + g.pick(names) + g.pick(":‖:‖:‖:‖:‖:‖:‖ :") + g.value(indent, depth))
		}
	}
	return b.String()
}

func (g *generator) document() string {
	g.anchors = nil
	s := ""
	if g.one(12) {
		s = g.pick("---\n‖%YAML 1.2\n---\n‖# c\n‖---\n# c\n‖\ufeff‖--- # c\n‖\n\n")
	}
	if g.one(8) {
		s += g.flow(4) + "\n"
	} else {
		s += g.block("", 1+g.random.IntN(4))
	}
	if g.one(15) {
		s += g.pick("...\n‖---\n‖# c\n‖\n\n‖---\na: 1\n‖  \n‖...\nb: 1")
	}
	if g.one(20) {
		s = strings.ReplaceAll(s, "\n", "\r\n")
	}
	return s
}

const (
	inserted = " ‖\t‖\n‖:‖: ‖-‖- ‖#‖ #‖'‖\"‖[‖]‖{‖}‖,‖&a ‖*a‖!‖|‖>‖%" +
		"‖@‖`‖?‖? ‖\\‖\r‖\u2028‖\u0085‖\ufeff‖---‖...‖~‖<<: ‖é‖\n\n‖  "
	replaced = " ‖\t‖\n‖:‖-‖#‖'‖\"‖,‖x"
)

// mutate changes a text in one to three places.
func (g *generator) mutate(s string) string {
	for range 1 + g.random.IntN(3) {
		if s == "" {
			break
		}
		i := g.random.IntN(len(s))
		lines := strings.SplitAfter(s, "\n")
		line := &lines[g.random.IntN(len(lines))]
		switch g.random.IntN(8) {
		case 0:
			s = s[:i] + s[i+1:]
		case 1, 2:
			s = s[:i] + g.pick(inserted) + s[i:]
		case 3:
			s = s[:i] + g.pick(replaced) + s[i+1:]
		case 4:
			*line += *line
			s = strings.Join(lines, "")
		case 5:
			*line = ""
			s = strings.Join(lines, "")
		case 6:
			*line = g.pick(" ‖  ‖\t") + *line
			s = strings.Join(lines, "")
		case 7:
			*line = strings.TrimPrefix(*line, " ")
			s = strings.Join(lines, "")
		}
	}
	return strings.ToValidUTF8(s, "x")
}
