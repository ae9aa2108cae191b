export { type Config, ConfigError, readConfig, type TelegramConfig, type WakeConfig } from './config.ts'
export { SETTINGS, type Setting, type SettingName } from './settings.ts'
