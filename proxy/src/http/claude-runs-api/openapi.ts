import {
  ALWAYS_REFUSED,
  CLAUDE_RUNS_ROUTES,
  fileView,
  runBody,
  runView,
  serviceHealth,
} from '../../contracts/claude-runs/index.ts'
import { describeApi } from '../../contracts/index.ts'
import { TOKEN_PREFIX } from '../../kernel/index.ts'

export const createClaudeRunsOpenApi = (version: string): Record<string, unknown> =>
  describeApi({
    title: 'OAuth3 runs of Claude Code',
    version,
    description: 'Have prompts run by `claude -p`, without having its access. Times are ISO 8601 in UTC.',
    routes: CLAUDE_RUNS_ROUTES,
    always: ALWAYS_REFUSED,
    securitySchemes: { appToken: { type: 'http', scheme: 'bearer', bearerFormat: `${TOKEN_PREFIX.app}…` } },
    named: {
      RunRequest: { schema: runBody, io: 'input' },
      Run: { schema: runView, io: 'output' },
      File: { schema: fileView, io: 'output' },
      ServiceHealth: { schema: serviceHealth, io: 'output' },
    },
  })
