import { demandCommitted, demandEqual, demandRecord, loadLive } from '../expect.ts'
import type { StoreCheck, StoreHarness } from '../harness.ts'
import type { SessionId } from '../../store.ts'

const NAMES = [
  ...[
    '',
    ' ',
    'a',
    'A',
    ' a',
    'a ',
    'a.b',
    'a"b',
    "a'b",
    '$',
    '$set',
    '#',
    '#g',
    '##',
    '.',
    '.a',
    '_',
    ':',
    'a:b',
    '{a}',
    '{',
    '}',
    '[0]',
    '*',
    '?',
    '%',
    '%s',
  ],
  ...[
    '\\',
    '\n',
    '\r\n',
    '\t',
    '\u0001',
    '\u2028',
    '-',
    '--',
    '0',
    '1',
    '-1',
    '00',
    'é',
    'e\u0301',
    '漢',
    '😀',
    'null',
    'undefined',
    'true',
    'n'.repeat(1024),
  ],
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'valueOf',
    'hasOwnProperty',
    'then',
    'length',
    'size',
    'toJSON',
  ],
  ...[
    'id',
    'user',
    'values',
    'generation',
    'fence',
    'expiresAt',
    'deadline',
    'createdAt',
    'renewedAt',
    'authenticatedAt',
    'rememberFor',
    'client',
    'data',
    'version',
  ],
]

/** Clauses on names: everything that is well-formed Unicode without U+0000 is kept as it is. */
export const nameChecks: readonly StoreCheck[] = [
  {
    id: 'S40',
    level: 'MUST',
    clause:
      'Every name that is well-formed Unicode without U+0000 is a name like any other, the empty one too: none has a meaning to the engine, no two are the same, none collides with what the store keeps for itself.',
    title: 'names have no meaning to a store',
    run: async (kit) => {
      const before = kit.record({
        values: new Map(NAMES.map((name, n) => [name, `${n}`])),
        user: 'alice',
        client: { address: '::1' },
      })
      const id = await kit.session(before)
      await demandRecord(kit.other, id, before, 'after create with strange names')
      await demandEveryName(kit, id)
      const { values, ...rest } = before
      const left = await loadLive(kit.other, id)
      demandEqual(
        { ...left, values: values.size },
        { ...rest, values: values.size },
        'the record without its values after changes of strange names',
      )
    },
  },
  {
    id: 'S40b',
    level: 'MUST',
    clause: 'Strange names are unset, swapped and taken like any other.',
    title: 'strange names can be removed again',
    run: async (kit) => {
      const id = await kit.session(
        kit.record({ values: new Map(NAMES.map((name) => [name, '1'])) }),
      )
      const [unset, swapped, taken] = [0, 1, 2].map((rest) =>
        NAMES.filter((_, n) => n % 3 === rest),
      )
      demandCommitted(
        await kit.store.commit(id, kit.change({ unset: unset ?? [] })),
        'a commit that unsets strange names',
      )
      for (const name of swapped ?? [])
        demandEqual(
          await kit.store.swap(id, name, '1', undefined),
          true,
          `the answer of swap of ${JSON.stringify(name)}`,
        )
      for (const name of taken ?? [])
        demandEqual(
          await kit.store.take(id, name),
          '1',
          `the answer of take of ${JSON.stringify(name)}`,
        )
      demandEqual([...(await loadLive(kit.other, id)).values], [], 'what was kept')
    },
  },
  {
    id: 'S40c',
    level: 'MUST',
    clause: 'A record may have 1000 values, and a change may name as many.',
    title: 'a thousand values at once',
    run: async (kit) => {
      const names = Array.from({ length: 1000 }, (_, n) => `name${n}`)
      const id = await kit.session(
        kit.record({ values: new Map(names.map((name) => [name, '1'])) }),
      )
      const change = kit.change({
        set: new Map(names.slice(0, 400).map((name) => [name, '2'])),
        unset: names.slice(400, 700),
        add: new Map(names.slice(700).map((name) => [name, 2])),
      })
      demandCommitted(await kit.store.commit(id, change), 'a commit of a thousand names')
      const wanted = [...change.set, ...[...change.add.keys()].map((name) => [name, '3'] as const)]
      demandEqual(new Map((await loadLive(kit.other, id)).values), new Map(wanted), 'the values')
    },
  },
]

/** Sets every second name and adds to the others: whatever a name is, its neighbours stay. */
async function demandEveryName(kit: StoreHarness, id: SessionId): Promise<void> {
  const set = new Map(NAMES.flatMap((name, n) => (n % 2 === 0 ? [[name, `set${n}`] as const] : [])))
  const add = new Map(NAMES.flatMap((name, n) => (n % 2 === 1 ? [[name, 1000] as const] : [])))
  const { added } = demandCommitted(
    await kit.store.commit(id, kit.change({ set, add, expiresAt: kit.now() })),
    'a commit of strange names',
  )
  const { values } = await loadLive(kit.other, id)
  for (const [n, name] of NAMES.entries()) {
    demandEqual(
      values.get(name),
      n % 2 === 0 ? `set${n}` : `${n + 1000}`,
      `the value under ${JSON.stringify(name)}`,
    )
    if (n % 2 === 1)
      demandEqual(added.get(name), n + 1000, `the new number of ${JSON.stringify(name)}`)
  }
}
