import type { RequestInfo } from '../../manager.ts'

/** What is known of a request, found out when it is first asked for: most requests never do. */
export class LazyInfo implements RequestInfo {
  readonly #find: () => RequestInfo
  #found: RequestInfo | undefined

  constructor(find: () => RequestInfo) {
    this.#find = find
  }

  get userAgent(): string | undefined {
    return this.#info.userAgent
  }

  get address(): string | undefined {
    return this.#info.address
  }

  get secure(): boolean | undefined {
    return this.#info.secure
  }

  get host(): string | undefined {
    return this.#info.host
  }

  get #info(): RequestInfo {
    return (this.#found ??= this.#find())
  }
}
