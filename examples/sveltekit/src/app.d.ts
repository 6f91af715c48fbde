import type { Session } from 'sojourn'

declare module 'sojourn' {
  interface SessionData {
    name?: string
    views?: number
    cart?: string[]
  }
}

declare global {
  namespace App {
    interface Locals {
      session: Session
    }
  }
}
