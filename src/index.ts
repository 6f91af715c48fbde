export { SessionError, isSessionError } from './errors.ts'
export type { SessionErrorCode } from './errors.ts'
export type { Duration } from './duration.ts'
export { EVENT_CHANNEL } from './events.ts'
export type { SessionEvent } from './events.ts'
export type { Secret } from './keyring.ts'
export type { HeaderLine } from './cookie-lines.ts'
export type { SessionDetails, SessionSummaries, SessionSummary } from './administration.ts'
export { SessionManager } from './manager.ts'
export type { RequestInfo } from './manager.ts'
export type { Notifications } from './notifications.ts'
export type { CookieOptions, LimitOptions, SessionOptions } from './options.ts'
export { Session } from './session.ts'
export type { DefaultData, KeepOptions, SessionData } from './session-data.ts'
export type {
  ClientInfo,
  CommitOutcome,
  Committed,
  SessionChange,
  SessionId,
  SessionPage,
  SessionRecord,
  SessionStore,
  SessionToken,
  StopListening,
  StoreCapabilities,
  StoreEvent,
  Touch,
  UserCap,
} from './store.ts'
