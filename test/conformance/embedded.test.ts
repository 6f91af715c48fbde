import { conform } from './conform.ts'

conform('embedded')
conform('embedded with a log')
