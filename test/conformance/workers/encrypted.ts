import type { SessionStore } from '../../../src/store.ts'
import { EncryptedStore } from '../../../src/stores/encrypted.ts'
import { keys } from '../engines/encrypted.ts'
import { store as inner } from './sqlite.ts'

export function store(): SessionStore {
  return new EncryptedStore(inner(), { keys })
}
