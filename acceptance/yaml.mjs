// Reads a list of texts, base64, from the standard input, and writes what two parsers make of each:
// {yaml, jsYAML}, each {value} or {error}. Values are as JSON.stringify writes them.
import {parse} from 'yaml'
import jsYAML from 'js-yaml'

const attempt = read => {
  try {
    return {value: JSON.stringify(read() ?? null)}
  } catch (e) {
    return {error: e.message.split('\n')[0], line: e.linePos?.[0].line ?? 0}
  }
}

let input = ''
for await (const chunk of process.stdin) input += chunk
const results = JSON.parse(input).map(encoded => {
  const text = Buffer.from(encoded, 'base64').toString()
  return {yaml: attempt(() => parse(text, {logLevel: 'error'})), jsYAML: attempt(() => jsYAML.load(text))}
})
process.stdout.write(JSON.stringify(results))
