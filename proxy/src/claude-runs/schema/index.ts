export { createSchemaChecker, type SchemaChecker } from './schema-checker.ts'
