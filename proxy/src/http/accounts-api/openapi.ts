import {
  ACCOUNT_ROUTES,
  ALWAYS_REFUSED,
  botView,
  CDP_ROUTES,
  CHAT_ROUTES,
  completionChunk,
  completionView,
  debugLogView,
  debugProcessesView,
  debugVersionView,
  desktopView,
  instanceFilesView,
  instanceView,
  keyView,
  logInView,
  meView,
  pageView,
  SOCKET_ROUTES,
  ticketView,
  tokensView,
  userView,
} from '../../contracts/accounts/index.ts'
import { describeApi } from '../../contracts/index.ts'
import { TOKEN_PREFIX } from '../../kernel/index.ts'

export const createAccountsOpenApi = (version: string): Record<string, unknown> =>
  describeApi({
    title: 'OAuth3 accounts',
    version,
    description:
      'Sign up, sign in, keep keys at providers, and have hosted agents. Times are ISO 8601 in UTC.',
    routes: { ...ACCOUNT_ROUTES, ...SOCKET_ROUTES, ...CHAT_ROUTES, ...CDP_ROUTES },
    always: ALWAYS_REFUSED,
    securitySchemes: {
      accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      accessKey: { type: 'http', scheme: 'bearer', bearerFormat: `${TOKEN_PREFIX.access_key}…` },
    },
    named: {
      Tokens: { schema: tokensView, io: 'output' },
      LogIn: { schema: logInView, io: 'output' },
      User: { schema: userView, io: 'output' },
      Me: { schema: meView, io: 'output' },
      Key: { schema: keyView, io: 'output' },
      Completion: { schema: completionView, io: 'output' },
      // What comes in the place of it where `stream` is true, as server-sent events behind which stands [DONE].
      CompletionChunk: { schema: completionChunk, io: 'output' },
      Page: { schema: pageView, io: 'output' },
      Ticket: { schema: ticketView, io: 'output' },
      Processes: { schema: debugProcessesView, io: 'output' },
      Log: { schema: debugLogView, io: 'output' },
      Versions: { schema: debugVersionView, io: 'output' },
      Desktop: { schema: desktopView, io: 'output' },
      Files: { schema: instanceFilesView, io: 'output' },
      Instance: { schema: instanceView, io: 'output' },
      Bot: { schema: botView, io: 'output' },
    },
  })
