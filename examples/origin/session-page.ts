import { HttpError, NotificationMixin, RequestHandler, SessionMixin } from 'sojourn/tornado'
import { securityHeaders, sessionPage } from './session-view.ts'

/** What an ended session cannot tell itself. */
const ENDED: Readonly<Record<string, string>> = {
  logout: 'You are logged out. The session, its values and its cookie are gone.',
  destroy: 'The session is destroyed. Its cookie would open nothing any more.',
}

abstract class PageHandler extends NotificationMixin(SessionMixin(RequestHandler)) {
  override setDefaultHeaders() {
    for (const [name, value] of securityHeaders) this.setHeader(name, value)
  }
}

/** Shows what the server keeps of this visitor. Looking begins no session. */
export class SessionPageHandler extends PageHandler {
  async get() {
    const { session } = this
    const done = this.notifications.has('done') ? await this.notifications.take('done') : undefined
    const ended = ENDED[this.getQueryArgument('ended', '')]
    const message = typeof done === 'string' ? done : session.established ? undefined : ended
    const cookieDays = this.settings.pycket?.cookies?.expiresDays
    this.write(sessionPage({ session, message, cookieDays, xsrfField: this.xsrfFormHtml() }))
  }
}

const ACTIONS: Readonly<Record<string, (handler: SessionActionHandler) => string | undefined>> = {
  set: (handler) => {
    const name = handler.field('name', 64)
    handler.session.set(name, handler.field('value', 500))
    return `“${name}” is stored.`
  },
  login: (handler) => {
    const user = handler.field('user', 64)
    handler.session.login(user)
    return `You are logged in as ${user}. A cookie from before the login opens nothing any more.`
  },
  renew: (handler) => {
    if (!handler.session.established) return undefined
    handler.session.renew()
    return 'The cookie is new. The session is the same.'
  },
  logout: (handler) => {
    handler.session.logout()
    return undefined
  },
  destroy: (handler) => {
    handler.session.destroy()
    return undefined
  },
}

/** The buttons of the page. Each is a form with a token, answered by going back to the page. */
export class SessionActionHandler extends PageHandler {
  post(name: string) {
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined
    if (action === undefined) throw new HttpError(404)
    const message = action(this)
    if (message !== undefined) this.notifications.set('done', message)
    this.redirect(name in ENDED ? `/session?ended=${name}` : '/session', false, 303)
  }

  /** A field that has to be filled in. */
  field(name: string, most: number): string {
    const text = this.getBodyArgument(name)
    if (text.length > 0 && text.length <= most) return text
    const reason = `Fill in the field ${name}, with at most ${most} characters`
    throw new HttpError(400, reason, { reason })
  }
}
