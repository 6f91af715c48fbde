import type { SessionStore } from '../../../src/store.ts'
import { Lonely } from './engine.ts'

export const store = (): SessionStore => new Lonely()
