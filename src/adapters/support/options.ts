import { refuseUnknownNames } from '../../names.ts'

/** What all adapters for a framework can be told. */
export interface AdapterOptions<Request> {
  /**
   * Set this when most routes do not use the session: it is opened by the first
   * `await getSession(…)`, and a route without one costs no store call.
   * @default false
   */
  readonly lazy?: boolean
  /** Set this when some requests never use the session, such as those for files. */
  readonly skip?: (request: Request) => boolean
}

/** @throws SessionError `ERR_SESSION_OPTION` for an option that neither all adapters know nor this one */
export function checkOptions(options: object, own: readonly string[] = []): void {
  refuseUnknownNames(options, ['lazy', 'skip', ...own], 'session()')
}
