import { serve } from './subjects/elysia.ts'
import { checkAdapter } from './support/checks.ts'

checkAdapter('elysia', serve, ['http/1.1', 'h2'])
