/** `data` comes last, so that the columns before it are read without its overflow pages. */
export const JOURNAL_MIGRATIONS: readonly string[] = [
  `CREATE TABLE blocks (
     first_position INTEGER PRIMARY KEY,
     last_position INTEGER NOT NULL,
     received_at_ms INTEGER NOT NULL,
     received_until_ms INTEGER NOT NULL,
     data BLOB NOT NULL
   ) STRICT;
   CREATE TABLE progress (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     acknowledged_position INTEGER NOT NULL,
     received_until_ms INTEGER NOT NULL
   ) STRICT;
   INSERT INTO progress VALUES (1, 0, 0);`,
]

/** The blocks from the one that holds a position on, in order. */
export const SELECT_BLOCKS_FROM = `
  SELECT first_position, last_position, data FROM blocks
  WHERE first_position >= coalesce((SELECT max(first_position) FROM blocks WHERE first_position <= :position), 0)
    AND last_position >= :position
  ORDER BY first_position`

/** The newest position ever given: the blocks' own, or what was acknowledged when there is none left. */
export const SELECT_LAST_POSITION = `
  SELECT max(acknowledged_position, coalesce((SELECT last_position FROM blocks ORDER BY first_position DESC LIMIT 1), 0))
    AS last_position FROM progress`
