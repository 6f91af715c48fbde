import { SessionManager } from 'sojourn'
import type { Session } from 'sojourn'
import { isOf } from '../same.ts'

const sessions = new SessionManager()

export async function session(): Promise<Session> {
  const opened = await sessions.open(undefined)
  isOf<Session>()(opened)
  isOf<string | undefined>()(opened.get('login'))
  isOf<string>()(opened.get('login', 'nobody'))
  isOf<string[] | undefined>()(opened.take('cart'))
  isOf<number>()(opened.increment('views'))
  isOf<string[] | undefined>()(await opened.update('cart', (cart = []) => [...cart, 'tea']))
  opened.set('login', 'ann').set('views', 1)
  opened.logout({ keep: ['cart'] })

  // @ts-expect-error no such name
  opened.get('logn')
  // @ts-expect-error a user name is text
  opened.set('login', 7)
  // @ts-expect-error a cart is not a number
  opened.increment('cart')
  // @ts-expect-error a cart holds text
  await opened.update('cart', () => [1])
  // @ts-expect-error no such name
  opened.delete('login', 'basket')
  // @ts-expect-error no such name
  opened.logout({ keep: ['basket'] })
  // @ts-expect-error sessions of other data are not these
  const other: Session<{ tea: string }> = opened
  return other as never
}
