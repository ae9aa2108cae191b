import {
  AGENT_ROUTES,
  ALWAYS_REFUSED,
  executeBody,
  executionView,
  explanationView,
  healthView,
  listView,
  secretsView,
  summaryView,
} from '../../contracts/agent/index.ts'
import { describeApi } from '../../contracts/index.ts'
import { TOKEN_PREFIX } from '../../kernel/index.ts'

export const createOpenApi = (version: string): Record<string, unknown> =>
  describeApi({
    title: 'OAuth3 agent API',
    version,
    description: 'Ask a person to run code with secrets. Times are ISO 8601 in UTC, durations milliseconds.',
    routes: AGENT_ROUTES,
    always: ALWAYS_REFUSED,
    securitySchemes: {
      agentToken: { type: 'http', scheme: 'bearer', bearerFormat: `${TOKEN_PREFIX.agent}…` },
    },
    named: {
      ExecuteRequest: { schema: executeBody, io: 'input' },
      Execution: { schema: executionView, io: 'output' },
      ExecutionSummary: { schema: summaryView, io: 'output' },
      ExecutionList: { schema: listView, io: 'output' },
      Explanation: { schema: explanationView, io: 'output' },
      SecretList: { schema: secretsView, io: 'output' },
      Health: { schema: healthView, io: 'output' },
    },
  })
