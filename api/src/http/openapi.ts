/**
 * What our schemas say in an older draft of JSON Schema, in the words of OpenAPI 3.1 (draft 2020-12): a tuple's items
 * are `prefixItems` there.
 */
export function toOpenapi31<T>(document: T): T {
  return convert(document) as T
}

function convert(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(convert)
  if (typeof value !== 'object' || value === null) return value
  const converted = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, convert(inner)]))
  const { items, additionalItems, ...rest } = converted
  if (!Array.isArray(items)) return converted
  return { ...rest, prefixItems: items, ...(additionalItems === false && { items: false }) }
}
