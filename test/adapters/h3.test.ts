import { serve } from './subjects/h3.ts'
import { checkAdapter } from './support/checks.ts'

checkAdapter('h3', serve, ['http/1.1', 'h2'])
