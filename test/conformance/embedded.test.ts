import { conform } from './conform.ts'

conform('embedded')
