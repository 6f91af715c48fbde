import { demand, demandCommitted, demandEqual, demandError, loadLive } from '../expect.ts'
import type { StoreCheck } from '../harness.ts'

const TEXTS = [
  ...[
    '',
    ' ',
    '0',
    'false',
    'null',
    'undefined',
    '"',
    "'",
    '\\',
    '\\u0000',
    '{}',
    '[]',
    '{"a":1}',
    '\n',
    '\r\n',
    '\t',
  ],
  ...[
    '\u0001',
    '\u007f',
    '\u0080',
    '\u2028',
    '\ufeff',
    '\ufffd',
    'é',
    'e\u0301',
    '漢字',
    '😀',
    '𝒳',
    '1e308',
    '-0',
    '\ud83d\ude00'.repeat(500),
  ],
]

/** Clauses on texts: everything that is well-formed Unicode without U+0000 is kept as it is. */
export const textChecks: readonly StoreCheck[] = [
  {
    id: 'S39',
    level: 'MUST',
    clause:
      'Every text that is well-formed Unicode without U+0000 comes back as it was kept, from `create`, `commit`, `swap` and `take`.',
    title: 'texts come back as they were kept',
    run: async (kit) => {
      const id = await kit.session(
        kit.record({ values: new Map(TEXTS.map((text, n) => [`created${n}`, text])) }),
      )
      demandCommitted(
        await kit.store.commit(
          id,
          kit.change({ set: new Map(TEXTS.map((text, n) => [`set${n}`, text])) }),
        ),
        'a commit of strange texts',
      )
      const { values } = await loadLive(kit.other, id)
      for (const [n, text] of TEXTS.entries()) {
        demandEqual(
          [values.get(`created${n}`), values.get(`set${n}`)],
          [text, text],
          'a text that was created and set',
        )
        demandEqual(
          await kit.store.swap(id, `set${n}`, text, `${text}!`),
          true,
          `the answer of swap of ${JSON.stringify(text)}`,
        )
        demandEqual(
          await kit.store.take(id, `set${n}`),
          `${text}!`,
          'a text that was swapped in and taken',
        )
      }
    },
  },
  {
    id: 'S39b',
    level: 'MUST',
    clause: 'A text of 64 kB and a record of 256 kB are kept whole.',
    title: 'large values come back whole',
    run: async (kit) => {
      const text = 'é漢😀x'.repeat(6554)
      const id = await kit.session(kit.holding({ large: text }))
      for (const name of ['b', 'c', 'd']) {
        demandCommitted(
          await kit.store.commit(id, kit.setting({ [name]: text + name })),
          'a commit of 64 kB',
        )
      }
      const { values } = await loadLive(kit.other, id)
      const whole =
        values.get('large') === text &&
        ['b', 'c', 'd'].every((name) => values.get(name) === text + name)
      demand(whole, 'a text of 64 kB came back as another')
    },
  },
  {
    id: 'S39c',
    level: 'MUST',
    clause:
      'What is too large for the engine is refused with a `SessionError`, and nothing of the change is kept; it is never cut, and never dropped in silence.',
    title: 'a value of 2 MB is kept whole or refused as a whole',
    run: async (kit) => {
      const id = await kit.session(kit.holding({ a: '1' }))
      const text = '0123456789abcdef'.repeat(131_072)
      const change = kit.setting({ large: text, small: '1' })
      const error = await kit.store.commit(id, change).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      if (error !== undefined)
        await demandError(
          Promise.reject(error),
          ['ERR_SESSION_TOO_LARGE', 'ERR_SESSION_STORE'],
          'a commit of 2 MB',
        )
      const { values } = await loadLive(kit.other, id, 'after a commit of 2 MB')
      demandEqual(
        [values.get('a'), values.get('small')],
        ['1', error === undefined ? '1' : undefined],
        'two other values',
      )
      demand(
        values.get('large') === (error === undefined ? text : undefined),
        'a value of 2 MB was neither kept whole nor refused',
      )
    },
  },
]
