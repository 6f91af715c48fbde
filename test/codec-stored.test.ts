import { describe, expect, test } from 'vitest'
import { decode } from '../src/codec.ts'
import { refused } from './support/refused.ts'

describe('text that somebody else wrote into the store', () => {
  const reasons: [reason: string, texts: string[]][] = [
    [
      'it is not JSON',
      [
        '',
        ' ',
        '~',
        '{',
        '[1,]',
        "{'a':1}",
        'undefined',
        'NaN',
        '01',
        '~~1',
        '\0',
        '"\0"',
        'null null',
      ],
    ],
    [
      'change a prototype',
      [
        '{"__proto__":{"polluted":true}}',
        '[{"a":{"__proto__":1}}]',
        '{"\\u005f_proto__":{"polluted":true}}',
        '{"__\\u0070roto__":{"polluted":true}}',
        '~{"__proto__":{"polluted":true}}',
        '~{"~":["object",{"~":1,"__proto__":{"polluted":true}}]}',
      ],
    ],
    [
      'a number that is too large',
      ['1e400', '[-1e400]', `{"a":${'9'.repeat(400)}}`, '~{"~":["set",[1e999]]}'],
    ],
    [
      'half of a surrogate pair',
      ['"\\ud800"', '{"\\udc00":1}', '"\ud800"', '~{"~":["map",[["\\ud800",1]]]}'],
    ],
    [
      'nested too deep',
      [
        '['.repeat(1e6) + ']'.repeat(1e6),
        '{"a":'.repeat(1e4) + '1' + '}'.repeat(1e4),
        `~${'{"~":["set",['.repeat(200)}${']]}'.repeat(200)}`,
      ],
    ],
    [
      'too many values',
      [`[${'0,'.repeat(100_000)}0]`, `~{"~":["map",[${'[1,2],'.repeat(60_000)}[1,2]]]}`],
    ],
    [
      'does not know',
      [
        '~{"~":["class","Cart"]}',
        '~{"~":[null,1]}',
        '~{"~":[["date"],1]}',
        '~{"~":["__proto__",1]}',
        '~{"~":["constructor",1]}',
      ],
    ],
    ['it stands for no value', ['~{"~":["undefined"]}']],
    [
      'content that does not belong to it',
      [
        '~{"~":"date"}',
        '~{"~":{"0":"date","1":1,"length":2}}',
        '~{"~":["date",1],"a":1}',
        '~{"~":[]}',
        '~{"~":["date"]}',
        '~{"~":["date",1,2]}',
        '~{"~":["undefined",null]}',
        '~{"~":["number",0]}',
        '~{"~":["number","0"]}',
        '~{"~":["number","1"]}',
        '~{"~":["date",null]}',
        '~{"~":["date","1"]}',
        '~{"~":["date",1.5]}',
        '~{"~":["date",8640000000000001]}',
        '~{"~":["date",1e999]}',
        '~{"~":["date",[]]}',
        '~{"~":["bigint",1]}',
        '~{"~":["bigint",""]}',
        '~{"~":["bigint","0x10"]}',
        '~{"~":["bigint","01"]}',
        '~{"~":["bigint","-0"]}',
        '~{"~":["bigint"," 1"]}',
        '~{"~":["bigint","1n"]}',
        '~{"~":["bigint","१"]}',
        `~{"~":["bigint","${'9'.repeat(10_001)}"]}`,
        `~{"~":["bigint","${'9'.repeat(100_000)}"]}`,
        '~{"~":["bytes",[1]]}',
        '~{"~":["bytes","A"]}',
        '~{"~":["bytes","AB=="]}',
        '~{"~":["bytes","AA"]}',
        '~{"~":["bytes","AP_-"]}',
        '~{"~":["bytes","AA==\\n"]}',
        '~{"~":["bytes","!!!!"]}',
        '~{"~":["bytes","é"]}',
        '~{"~":["map",{}]}',
        '~{"~":["map",null]}',
        '~{"~":["map",[1]]}',
        '~{"~":["map",[[1]]]}',
        '~{"~":["map",[[1,2,3]]]}',
        '~{"~":["map",[["a",1],["a",2]]]}',
        '~{"~":["set",{"length":0}]}',
        '~{"~":["set",[1,1]]}',
        '~{"~":["set",null]}',
        '~{"~":["object",[]]}',
        '~{"~":["object",null]}',
        '~{"~":["object",{"a":1}]}',
      ],
    ],
  ]
  const cases = reasons.flatMap(([reason, texts]) =>
    texts.map((text) => [text.slice(0, 60), text, reason] as const),
  )

  test.each(cases)('%s is refused', (_, text, reason) => {
    const error = refused(() => decode(text))
    expect(error.code).toBe('ERR_SESSION_CORRUPT')
    expect(error.message).toContain(reason)
    expect(error.cause).toBeUndefined()
  })

  test('is never quoted in the error', () => {
    for (const text of [
      'secret',
      '{"secret":secret}',
      '~{"~":["secret",1]}',
      '~{"~":["bigint","secret"]}',
    ]) {
      expect(refused(() => decode(text)).message).not.toContain('secret')
    }
  })

  test('pollutes nothing, and __proto__ in a string is just text', () => {
    refused(() => decode('{"__proto__":{"polluted":true}}'))
    refused(() => decode('~{"a":{"__proto__":{"polluted":true}}}'))
    decode('{"constructor":{"prototype":{"polluted":true}}}')
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
    expect(decode('["__proto__"]')).toStrictEqual(['__proto__'])
  })
})
