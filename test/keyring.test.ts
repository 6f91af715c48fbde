import { execFile } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Keyring, checkSecrets, developmentSecret } from '../src/keyring.ts'

const GOOD = 'Q7r0yG2mVx3bN8sK1pT5wZ4cH6jL9dFa'

describe('a keyring', () => {
  it('derives a kid from the secret, the same every time, and finds keys by it', () => {
    const ring = new Keyring([GOOD, `${GOOD}older`])
    expect(ring.current.kid).toMatch(/^[\w-]{8}$/)
    expect(new Keyring([GOOD]).current.kid).toBe(ring.current.kid)
    expect(ring.find(ring.current.kid)).toBe(ring.current)
    expect(ring.find('__proto__')).toBeUndefined()
  })

  it('has another sub-key for every purpose', () => {
    const { current } = new Keyring([GOOD])
    const keys = (['cookie', 'csrf', 'encryption', 'device'] as const).map((purpose) =>
      current.subKey(purpose).export().toString('hex'),
    )
    expect(new Set(keys).size).toBe(4)
  })
})

describe('checkSecrets', () => {
  it('accepts 32 good bytes in production, as text or as bytes', () => {
    expect(() => checkSecrets([GOOD, Buffer.from(GOOD)], true)).not.toThrow()
  })

  it('refuses none, an empty one, a short one and a repeated one in production', () => {
    for (const secrets of [[], [''], ['keyboard cat'], ['a'.repeat(64)], [GOOD, 'short']]) {
      expect(() => checkSecrets(secrets, true)).toThrow(
        expect.objectContaining({ code: 'ERR_SESSION_SECRET' }),
      )
    }
  })

  it('accepts a short one in development, and never shows it', () => {
    expect(() => checkSecrets(['keyboard cat'], false)).not.toThrow()
    expect(() => checkSecrets(['keyboard cat'], true)).toThrow(/^((?!keyboard).)*$/)
  })
})

describe('the secret for development', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'sojourn-secret-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  it('is made once, kept, and readable by the owner only', () => {
    const path = join(directory, 'kept')
    const secret = developmentSecret(path)
    expect(developmentSecret(path)).toBe(secret)
    expect(secret).toHaveLength(43)
    expect(statSync(path).mode & 0o777).toBe(0o700)
    expect(statSync(join(path, 'development-secret')).mode & 0o777).toBe(0o600)
  })

  it('says what to do when it cannot be kept, or what is there is none', () => {
    const file = join(directory, 'file')
    writeFileSync(file, '')
    writeFileSync(join(directory, 'development-secret'), '')
    mkdirSync(join(directory, 'other', 'development-secret'), { recursive: true })
    for (const path of [join(file, 'below'), file, directory, join(directory, 'other')]) {
      expect(() => developmentSecret(path)).toThrow(
        expect.objectContaining({
          code: 'ERR_SESSION_SECRET',
          message: expect.stringMatching(/Set `secret`, or make this a file that can be written/),
        }),
      )
    }
  })

  it('is the same for processes that start at once, and nothing else is left', async () => {
    const path = join(directory, 'kept')
    const url = new URL('../src/keyring.ts', import.meta.url).href
    const script = `import { developmentSecret } from '${url}'
      process.stdout.write(developmentSecret(process.argv[1]))`
    const args = ['--import', 'tsx', '--input-type=module', '--eval', script, path]
    const starts = Array.from({ length: 4 }, () => promisify(execFile)(process.execPath, args))
    const secrets = new Set((await Promise.all(starts)).map(({ stdout }) => stdout))
    expect([...secrets]).toEqual([readFileSync(join(path, 'development-secret'), 'utf8')])
    expect(readdirSync(path)).toEqual(['development-secret'])
  })
})
