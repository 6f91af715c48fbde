import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type BrowserContext } from 'playwright-core'
import { findChromium } from '../../scripts/programs.js'

/** How a browser of a test is started. */
export interface ChromiumOptions {
  /**
   * A directory for the profile, kept by `close()`: set this when the visitor is to come back with
   * the cookies that outlive the browser.
   */
  readonly profile?: string
}

const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
]

/**
 * Starts a real Chromium with a profile of its own. Its pages and cookies are those of the returned
 * context; `close()` ends the browser and removes the profile, unless it was given.
 */
export async function launchChromium(options: ChromiumOptions = {}): Promise<BrowserContext> {
  const executablePath = findChromium()
  if (executablePath === undefined) {
    throw new Error('Chromium is not installed. On Debian: apt-get install -y chromium')
  }
  const profile = options.profile ?? (await mkdtemp(join(tmpdir(), 'sojourn-chromium-')))
  const settings = { executablePath, args: FLAGS, headless: true, chromiumSandbox: false }
  const context = await chromium.launchPersistentContext(profile, settings)
  const close = context.close.bind(context)
  context.close = async (): Promise<void> => {
    await close()
    if (options.profile === undefined) await removeProfile(profile)
  }
  return context
}

// The last processes of the browser may still write for a moment after it is closed.
async function removeProfile(profile: string): Promise<void> {
  await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
}
