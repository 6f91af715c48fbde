import type { SessionStore } from '../../../src/store.ts'

export function store(): SessionStore {
  process.exit(3)
}
