import { Application, RequestHandler, SessionMixin } from 'sojourn/tornado'
import type { EngineName, StorageSettings } from 'sojourn/tornado'
import { SessionActionHandler, SessionPageHandler } from './session-page.ts'

/** Answers in plain text: what a visitor typed is never read as HTML. */
class TextHandler extends SessionMixin<{ login: string }>()(RequestHandler) {
  override setDefaultHeaders() {
    this.setHeader('Content-Type', 'text/plain; charset=UTF-8')
  }
}

class IndexHandler extends TextHandler {
  get() {
    this.session.set('login', this.getArgument('name'))
    this.write('index get ok!')
  }
}

class DetailHandler extends TextHandler {
  get() {
    const login = this.session.get('login')
    if (login === undefined) this.write('Nothing is stored yet. Open /?name=alice first.')
    else this.write(`detail get ok! ${login}`)
  }
}

/** The program that sojourn comes from, and a page that shows what the server keeps. */
export function originProgram(engine: EngineName, storage: StorageSettings): Application {
  return new Application(
    [
      ['/', IndexHandler],
      ['/detail', DetailHandler],
      ['/session', SessionPageHandler],
      ['/session/([a-z]+)', SessionActionHandler],
    ],
    {
      cookieSecret: process.env['SESSION_SECRET'],
      xsrfCookies: true,
      pycket: {
        engine,
        storage,
        cookies: { expiresDays: 2 },
      },
    },
  )
}
