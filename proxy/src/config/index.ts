export {
  type ClaudeRunsConfig,
  type Config,
  ConfigError,
  readConfig,
  type TelegramConfig,
  type WakeConfig,
} from './config.ts'
export { strayLines, unclearLines } from './env-file.ts'
export type { Setting } from './setting.ts'
export { SETTINGS } from './settings.ts'
export { addressMatcher } from './trusted-proxies.ts'
