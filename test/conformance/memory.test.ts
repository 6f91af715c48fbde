import { conform } from './conform.ts'

conform('memory')
conform('memory with a clock of its own')
