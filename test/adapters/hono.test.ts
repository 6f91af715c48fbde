import { serve } from './subjects/hono.ts'
import { checkAdapter } from './support/checks.ts'

checkAdapter('hono', serve, ['http/1.1', 'h2'])
