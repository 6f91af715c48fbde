import type { SessionData } from 'sojourn'

// What an application writes once: every framework below knows it then.
declare module 'sojourn' {
  interface SessionData {
    login?: string
    views?: number
    cart?: string[]
  }
}

export type Cart = SessionData['cart']
