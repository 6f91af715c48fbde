import { serve } from './subjects/fetch.ts'
import { checkAdapter } from './support/checks.ts'

checkAdapter('fetch', serve, ['http/1.1', 'h2'])
