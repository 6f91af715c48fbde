import type { RouteConfig } from '@react-router/dev/routes'
import { index, route } from '@react-router/dev/routes'

export default [
  index('routes/values.ts'),
  route('form', 'routes/form.tsx'),
  route(':action/:given?', 'routes/change.ts'),
] satisfies RouteConfig
