import type { NextConfig } from 'next'

const config: NextConfig = {
  // A store belongs to the process, not into the bundles of pages.
  serverExternalPackages: ['sojourn'],
  turbopack: { root: import.meta.dirname },
}

export default config
