import { beforeEach, describe, expect, it } from 'vitest'
import { Stage } from './support/stage.ts'
import { Visitor } from './support/visitor.ts'

let stage: Stage
beforeEach(() => {
  stage = new Stage()
})

const coded = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })

describe('every type of value', () => {
  const values = {
    text: 'hé 中文 🏕️ \u0000',
    empty: '',
    zero: 0,
    minus: -0,
    no: false,
    nothing: null,
    big: 2n ** 80n,
    date: new Date(1_700_000_000_123),
    bytes: new Uint8Array([0, 255, 128]),
    map: new Map<unknown, unknown>([
      ['a', 1],
      [2, new Set([3])],
    ]),
    nested: { list: [1, { deep: [new Date(0), undefined, 5n] }] },
  }

  it('comes back equal in the next request', async () => {
    await stage.alice.request((session) => {
      for (const [name, value] of Object.entries(values)) session.set(name, value)
    })
    const { result } = await stage.alice.request((session) => Object.fromEntries(session))
    expect(result).toStrictEqual(values)
  })

  it('that was only read is not written again', async () => {
    await stage.alice.request((session) => session.set('nested', values.nested))
    stage.store.since()
    await stage.alice.request((session) => [...session])
    expect(stage.store.since()).toEqual(['load'])
  })
})

describe('what cannot be stored throws at set, with the place and the reason, and changes nothing', () => {
  class Cart {}
  const circle: { self?: unknown } = {}
  circle.self = circle
  it.each([
    [{ items: [1, () => 1] }, /cart\.items\[1\].*function/],
    [{ of: new Cart() }, /cart\.of.*Cart/],
    [circle, /cart\.self/],
    [Symbol('x'), /symbol/i],
    [Number.NaN, /NaN/],
    [undefined, /undefined/],
  ])('%o', async (value, message) => {
    await stage.alice.request((session) => {
      session.set('cart', 'before')
      expect(() => session.set('cart', value)).toThrow(coded('ERR_SESSION_VALUE', message))
      expect(session.get('cart')).toBe('before')
    })
  })

  it('too large a value', async () => {
    await stage.alice.request((session) => {
      expect(() => session.set('cart', 'x'.repeat(2 ** 20))).toThrow(
        coded('ERR_SESSION_TOO_LARGE', /1048576|1 MiB|1_048_576/),
      )
    })
  })

  it('too large a session, at the end of the request', async () => {
    const visitor = new Visitor(stage.manage({ limits: { sessionSize: 100, names: 3 } }))
    const large = visitor.request((session) =>
      session.set('a', 'x'.repeat(60)).set('b', 'x'.repeat(60)),
    )
    await expect(large).rejects.toThrow(coded('ERR_SESSION_TOO_LARGE', /limits.sessionSize is 100/))
    const many = visitor.request((session) => {
      for (const name of 'abcd') session.set(name, 1)
    })
    await expect(many).rejects.toThrow(coded('ERR_SESSION_TOO_LARGE', /limits.names is 3/))
  })

  it('a value that was made so in place, at the end of the request', async () => {
    await stage.alice.request((session) => session.set('cart', { items: [] }))
    const spoiled = stage.alice.request((session) =>
      Object.assign(Object(session.get('cart')), { f() {} }),
    )
    await expect(spoiled).rejects.toThrow(coded('ERR_SESSION_VALUE', /cart\.f/))
  })
})

describe('names', () => {
  it('of any well-formed text are values like all others', async () => {
    const names = [
      '',
      '__proto__',
      'constructor',
      'toString',
      '#g',
      'a.b',
      '"',
      '$',
      ' ',
      '\n',
      '名前',
      'x'.repeat(1024),
    ]
    await stage.alice.request((session) => names.forEach((name, index) => session.set(name, index)))
    const { result } = await stage.alice.request((session) =>
      names.map((name) => session.get(name)),
    )
    expect(result).toEqual(names.map((_, index) => index))
    expect(Object.prototype).not.toHaveProperty('polluted')
  })

  it.each(['\0', 'a\0b', '\ud800', 'x'.repeat(1025), '\u0001a', 7 as never])(
    '%j is refused',
    async (name) => {
      await stage.alice.request((session) => {
        expect(() => session.set(name, 1)).toThrow(coded('ERR_SESSION_NAME', /name/i))
      })
    },
  )
})

describe('increment', () => {
  it.each(['text', 1.5, -0, 2n, null])('on %o is an error', async (value) => {
    await stage.alice.request((session) => session.set('n', value))
    await stage.alice.request((session) => {
      expect(() => session.increment('n')).toThrow(coded('ERR_SESSION_NOT_A_NUMBER', /'n'/))
    })
  })

  it('by anything but a safe integer, or beyond one, is an error', async () => {
    await stage.alice.request((session) => {
      expect(() => session.increment('n', 0.5)).toThrow('safe integer')
      session.set('n', Number.MAX_SAFE_INTEGER)
      expect(() => session.increment('n')).toThrow('safe integer')
    })
  })

  it('after a set in the same request adds to what was set', async () => {
    await stage.alice.request((session) => session.set('n', 5))
    await stage.alice.request((session) => {
      session.set('n', 10)
      expect(session.increment('n')).toBe(11)
    })
    expect((await stage.alice.request((session) => session.get('n'))).result).toBe(11)
  })

  it('after a delete in the same request begins at 0', async () => {
    await stage.alice.request((session) => session.set('n', 5))
    await stage.alice.request((session) => {
      session.delete('n')
      expect(session.increment('n', 2)).toBe(2)
    })
    expect((await stage.alice.request((session) => session.get('n'))).result).toBe(2)
  })
})

it('a stored value that is larger than a lowered limit stays readable', async () => {
  await stage.alice.request((session) => session.set('list', ['x'.repeat(100)]))
  const visitor = new Visitor(stage.manage({ limits: { valueBytes: 50 } }), stage.alice.cookie)
  const { result } = await visitor.request((session) => session.get('list'))
  expect(result).toEqual(['x'.repeat(100)])
})

it('a value that was changed in place and deleted is deleted; take reads and deletes', async () => {
  await stage.alice.request((session) => session.set('a', [1]).set('b', 2))
  await stage.alice.request((session) => {
    const list = session.get('a')
    if (Array.isArray(list)) list.push(2)
    expect(session.delete('a', 'missing')).toBe(true)
    expect(session.delete('missing')).toBe(false)
    expect(session.take('b')).toBe(2)
    expect(session.size).toBe(0)
  })
  expect((await stage.alice.request((session) => session.size)).result).toBe(0)
})
