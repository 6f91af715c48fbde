import { describe, expect, it } from 'vitest'
import { nearestName, refuseUnknownNames } from '../src/names.ts'

const KNOWN = ['idleTimeout', 'lifetime', 'cookie', 'store']

describe('refuseUnknownNames', () => {
  it('accepts names that exist', () => {
    expect(() => refuseUnknownNames({ store: 1, cookie: 2 }, KNOWN, 'SessionManager')).not.toThrow()
  })

  it('names the nearest option for a misspelt one', () => {
    expect(() => refuseUnknownNames({ idleTimout: 1 }, KNOWN, 'SessionManager')).toThrow(
      "SessionManager has no option 'idleTimout'. Did you mean 'idleTimeout'?",
    )
  })

  it('lists every option when none is near', () => {
    expect(() => refuseUnknownNames({ zebra: 1 }, KNOWN, 'SessionManager')).toThrow(
      'It knows idleTimeout, lifetime, cookie, store.',
    )
  })
})

describe('nearestName', () => {
  it('ignores case', () => {
    expect(nearestName('LifeTime', KNOWN)).toBe('lifetime')
  })

  it('finds nothing for a word of another kind', () => {
    expect(nearestName('resave', ['path', 'domain'])).toBeUndefined()
  })
})
