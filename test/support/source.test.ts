import { expect, test } from 'vitest'
import { blank, sourcesIn } from './source.ts'

test('comments and the insides of strings are blank, and every position is kept', () => {
  const text = `const a = 'x // y' // import { b } from './c.ts'\n/* {\n */ const d = "\\"{"\n`
  const code = blank(text)
  expect(code).toBe(`const a = '      '${' '.repeat(30)}\n    \n    const d = "   "\n`)
  expect(code.length).toBe(text.length)
})

test('code inside of a template is code, and the text around it is not', () => {
  expect(blank('`a {${ f({ b: `c${d}` }) } }` + e')).toBe('`   ${ f({ b: ` ${d}` }) }  ` + e')
})

test('a regular expression is not a comment, and a division is not a regular expression', () => {
  expect(blank("s.replace(/[/']\\//g, '') // x")).toBe("s.replace(/      /g, '')     ")
  expect(blank('a / b / c // d')).toBe('a / b / c     ')
})

test('imports of every kind are found', () => {
  const [source] = sourcesIn('test/support').filter(({ path }) => path.endsWith('source.test.ts'))
  expect(source?.imports).toEqual([
    { specifier: 'vitest', path: undefined, kind: 'import', typeOnly: false },
    { specifier: './source.ts', path: 'test/support/source.ts', kind: 'import', typeOnly: false },
  ])
})
