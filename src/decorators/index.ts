export { requireSession, requireUser } from './require.ts'
export type { DataOf, WithSession } from './holder.ts'
export { sessionValue } from './session-value.ts'
