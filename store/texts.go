package store

import (
	"context"
	"slices"
)

// A textTable is a table of which some columns hold text.
type textTable struct {
	name    string
	all     []string          // columns
	texts   map[string]string // of them those of text, with their types
	ordered []string          // the same, in order
}

func (t textTable) has(column string) bool { return slices.Contains(t.all, column) }

// What an index of words is made of has no text that somebody reads: SQLite keeps it in tables of its own kinds.
const (
	sqliteColumns = `SELECT m.name, c.name, c.type, c.type IN ('TEXT', 'JSON', '') OR c.type LIKE '%CHAR%'
		FROM pragma_table_list m JOIN pragma_table_info(m.name) c
		WHERE m.schema = 'main' AND m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid`
	postgresColumns = `SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), t.typcategory = 'S'
			OR t.typname IN ('json', 'jsonb', '_text', '_varchar')
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
		WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname, a.attnum`
)

// textTables returns all tables that have text, of whatever schema: nobody has to keep a list of them.
func (s *Store) textTables(ctx context.Context) (list []textTable, err error) {
	query, args := sqliteColumns, []any{}
	if s.database == Postgres {
		query, args = postgresColumns, []any{s.schema}
	}
	err = s.each(ctx, func(row Scanner) error {
		var table, column, kind string
		var text bool
		if err := row.Scan(&table, &column, &kind, &text); err != nil {
			return err
		}
		if len(list) == 0 || list[len(list)-1].name != table {
			list = append(list, textTable{name: table, texts: map[string]string{}})
		}
		last := &list[len(list)-1]
		last.all = append(last.all, column)
		if text {
			last.texts[column] = kind
			last.ordered = append(last.ordered, column)
		}
		return nil
	}, query, args...)
	return slices.DeleteFunc(list, func(t textTable) bool { return len(t.ordered) == 0 }), err
}

// names returns a condition that holds for the rows of a table in which some text has the parameter $1 in it.
func (s *Store) names(t textTable) (condition string) {
	for i, column := range t.ordered {
		if i > 0 {
			condition += " OR "
		}
		condition += s.hasText(column)
	}
	return "(" + condition + ")"
}

// hasText returns a condition that holds if the column has the parameter $1 in it.
func (s *Store) hasText(column string) string {
	if s.database == Postgres {
		return "strpos(CAST(" + identifier(column) + " AS text), $1) > 0"
	}
	return "instr(" + identifier(column) + ", $1) > 0"
}
