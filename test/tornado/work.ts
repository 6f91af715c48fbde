import { NotificationMixin, RequestHandler, SessionMixin } from '../../src/tornado/index.ts'

/** A handler with everything; what it does is given with its route. */
export abstract class Work extends NotificationMixin(SessionMixin(RequestHandler)) {}

/** A class of handlers whose GET and POST do this; the answer, if there is one, is written as JSON. */
export function doing(work: (handler: Work) => unknown) {
  return class extends Work {
    async get() {
      const result = await work(this)
      if (result !== undefined) this.write({ result })
    }
    async post() {
      await this.get()
    }
  }
}

/** What a handler of `doing` answered. */
export function resultOf({ body }: { readonly body: string }): unknown {
  return (JSON.parse(body) as { result: unknown }).result
}
