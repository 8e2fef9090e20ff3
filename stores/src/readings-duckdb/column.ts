export type ColumnType = 'TIMESTAMP' | 'VARCHAR' | 'DOUBLE'

export interface Column {
  name: string
  type: ColumnType
}
