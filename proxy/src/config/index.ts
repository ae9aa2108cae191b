export { type Config, ConfigError, readConfig } from './config.ts'
export { SETTINGS, type Setting } from './settings.ts'
