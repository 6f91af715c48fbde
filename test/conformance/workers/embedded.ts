import type { SessionStore } from '../../../src/store.ts'
import { EmbeddedStore } from '../../../src/stores/embedded.ts'

export function store(): SessionStore {
  return new EmbeddedStore({
    path: process.env['KIT_EMBEDDED_PATH'] ?? '',
    events: process.env['KIT_EMBEDDED_EVENTS'] === 'yes',
  })
}
