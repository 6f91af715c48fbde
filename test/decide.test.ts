import { describe, expect, it } from 'vitest'
import { decide, decideAfterLoss, standingOf } from '../src/decide.ts'

describe('decide', () => {
  it.each([
    // record, intent, changed, reissue -> call, cookie
    ['none', 'keep', false, false, 'nothing', 'nothing'],
    ['none', 'keep', true, false, 'create', 'issue'],
    ['none', 'renew', false, false, 'nothing', 'nothing'],
    ['none', 'renew', true, false, 'create', 'issue'],
    ['none', 'login', false, false, 'create', 'issue'],
    ['none', 'login', true, false, 'create', 'issue'],
    ['none', 'logout', false, false, 'nothing', 'nothing'],
    ['none', 'logout', true, false, 'create', 'issue'],
    ['none', 'destroy', false, false, 'nothing', 'nothing'],
    ['none', 'destroy', true, false, 'nothing', 'nothing'],
    ['live', 'keep', false, false, 'nothing', 'nothing'],
    ['live', 'keep', false, true, 'nothing', 'issue'],
    ['live', 'keep', true, false, 'commit', 'nothing'],
    ['live', 'keep', true, true, 'commit', 'issue'],
    ['live', 'renew', false, false, 'commit', 'issue'],
    ['live', 'renew', true, false, 'commit', 'issue'],
    ['live', 'login', false, false, 'commit', 'issue'],
    ['live', 'login', true, false, 'commit', 'issue'],
    ['live', 'logout', false, false, 'destroy', 'delete'],
    ['live', 'logout', false, true, 'destroy', 'delete'],
    ['live', 'logout', true, false, 'commit', 'issue'],
    ['live', 'destroy', false, true, 'destroy', 'delete'],
    ['live', 'destroy', true, false, 'destroy', 'delete'],
  ] as const)('%s record, %s, changed %s, reissue %s: %s, cookie %s', (...row) => {
    const [record, intent, changed, reissue, call, cookie] = row
    expect(decide({ record, intent, changed, reissue })).toEqual({ call, cookie })
  })
})

describe('standingOf', () => {
  const record = { generation: 5, fence: 3, renewedAt: 1000 }
  const fenced = { generation: 5, fence: 5, renewedAt: 1000 }

  it.each([
    [record, 5, 999_999, 'current'],
    [record, 4, 1059, 'grace'],
    [record, 4, 1060, 'refused'],
    [record, 3, 1001, 'refused'],
    [record, 6, 1001, 'refused'],
    [fenced, 4, 1001, 'refused'],
    [fenced, 5, 1001, 'current'],
  ] as const)('%j presented %d at %d is %s', (generations, presented, now, standing) => {
    expect(standingOf(generations, presented, now, 60)).toBe(standing)
  })

  it('keeps the grace when the clock of another process is ahead', () => {
    expect(standingOf(record, 4, 900, 60)).toBe('grace')
  })
})

it('only a login begins a session anew when its session was lost', () => {
  expect(decideAfterLoss('login')).toBe('begin-anew')
  for (const intent of ['keep', 'renew', 'logout', 'destroy'] as const) {
    expect(decideAfterLoss(intent)).toBe('drop')
  }
})
