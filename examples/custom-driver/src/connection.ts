import { statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { prepareSchema } from './schema.js';

/** An open database. */
export class Connection {
  readonly #file: string;
  readonly #identity: string | undefined;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** @param busyTimeout how long to wait for the locks of other processes, in seconds */
  constructor(file: string, busyTimeout: number) {
    this.#file = file;
    this.#database = new DatabaseSync(file);
    this.#identity = identityOf(file);
    try {
      this.#database.exec(`PRAGMA busy_timeout = ${Math.round(busyTimeout * 1000)}`);
      prepareSchema(this.#database, file);
      // With a write-ahead log a crash of the machine costs at most the latest images, and never the database.
      this.#database.exec('PRAGMA synchronous = NORMAL');
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Whether somebody has moved the file away or deleted it: SQLite would go on with what no one else sees. */
  get isStale(): boolean {
    return this.#identity !== identityOf(this.#file);
  }

  /** The statement of a text, prepared once. */
  sql(text: string): StatementSync {
    const statement = this.#statements.get(text) ?? this.#database.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }

  /** Rolls back what is not committed. */
  close(): void {
    this.#database.close();
  }
}

function identityOf(file: string): string | undefined {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats && `${stats.dev}:${stats.ino}`;
}
