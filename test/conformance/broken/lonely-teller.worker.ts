import type { SessionStore } from '../../../src/store.ts'
import { LonelyTeller } from './events.ts'

export const store = (): SessionStore => new LonelyTeller()
