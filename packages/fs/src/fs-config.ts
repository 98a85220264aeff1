import {
  type ConfigFault,
  type ConfigTable,
  type ConfigValues,
  isEntryName,
} from '@imgproxy-cache/core/driver';
import { TEMPORARY_FOLDER } from './cache-layout.js';
import { stat } from './fs-calls.js';
import { errnoOf } from './fs-errors.js';

// A file needs its owner's right to read and write, a folder also to search.
const FILE_MODE = /^0?[67][0-7]{2}$/;
const FOLDER_MODE = /^[02]?7[0-7]{2}$/;

/** The driver's variables. */
export const fsConfig = {
  root: {
    variable: 'IMGPROXY_CACHE_FS_ROOT',
    type: 'string',
    default: '',
    required: true,
    doc: 'The folder that holds the cache. It must exist: it is never created, since it may be the place of a disk that is not mounted.',
  },
  bucket: {
    variable: 'IMGPROXY_CACHE_BUCKET',
    type: 'string',
    default: '',
    doc: 'One more folder below the root, created on demand; blank: none.',
  },
  sync: {
    variable: 'IMGPROXY_CACHE_FS_SYNC',
    type: 'boolean',
    default: false,
    doc: 'Whether a store waits until file and folder are on the disk, so that the entry outlives a power failure. Without it a power failure may lose the latest entries; a crash of the process never does.',
  },
  fileMode: {
    variable: 'IMGPROXY_CACHE_FS_FILE_MODE',
    type: 'string',
    default: '0600',
    doc: 'Permissions of new files, in octal, whatever the umask: 0600 to 0777, always with read and write for the owner.',
  },
  folderMode: {
    variable: 'IMGPROXY_CACHE_FS_DIR_MODE',
    type: 'string',
    default: '0700',
    doc: 'Permissions of new folders, in octal, whatever the umask: 0700 to 0777, always with all rights for the owner. 2700 to 2777 also hand the group down.',
  },
  maxSize: {
    variable: 'IMGPROXY_CACHE_FS_MAX_SIZE',
    type: 'integer',
    default: 0,
    min: 0,
    doc: 'Most bytes of all entries below root and bucket together, whichever process stored them. Past it the least recently used go. 0: no limit.',
  },
  minFreeSpace: {
    variable: 'IMGPROXY_CACHE_FS_MIN_FREE_SPACE',
    type: 'integer',
    default: 0,
    min: 0,
    doc: 'Bytes that the file system of the root shall have free. With less the least recently used entries go, whatever has filled it. 0: entries stay until it is full.',
  },
} as const satisfies ConfigTable;

/** Values of {@link fsConfig}. */
export type FsConfig = ConfigValues<typeof fsConfig>;

/** What is wrong with values that parse. */
export async function findFaults(config: FsConfig): Promise<readonly ConfigFault[]> {
  const faults: ConfigFault[] = [];
  const rootProblem = await problemOfRoot(config.root);
  if (rootProblem !== undefined) faults.push({ variable: fsConfig.root.variable, message: rootProblem });
  if (config.bucket !== '' && !isFolderName(config.bucket)) {
    faults.push({
      variable: fsConfig.bucket.variable,
      message: `${JSON.stringify(config.bucket)} is not one folder's name: it takes 1 to 200 printable ASCII characters without "/", and not "." , ".." or "${TEMPORARY_FOLDER}"`,
    });
  }
  if (!FILE_MODE.test(config.fileMode)) {
    faults.push({
      variable: fsConfig.fileMode.variable,
      message: `${JSON.stringify(config.fileMode)} is not a file's mode: allowed are 0600 to 0777 in octal, with read and write for the owner`,
    });
  }
  if (!FOLDER_MODE.test(config.folderMode)) {
    faults.push({
      variable: fsConfig.folderMode.variable,
      message: `${JSON.stringify(config.folderMode)} is not a folder's mode: allowed are 0700 to 0777 and 2700 to 2777 in octal, with all rights for the owner`,
    });
  }
  return faults;
}

async function problemOfRoot(root: string): Promise<string | undefined> {
  if (root === '') return 'is blank: it takes the folder that holds the cache';
  if (root.includes('\0')) return `${JSON.stringify(root)} contains a NUL character, which no path can`;
  try {
    if ((await stat(root)).isDirectory()) return undefined;
    return `${JSON.stringify(root)} is not a folder`;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') {
      return `${JSON.stringify(root)} does not exist: create the folder or mount its disk; it is never created, as the disk may be missing`;
    }
    return `${JSON.stringify(root)} cannot be looked at (${errno}): a folder is needed that this process may read, write and search`;
  }
}

function isFolderName(bucket: string): boolean {
  return isEntryName(bucket) && !bucket.includes('/') && bucket !== TEMPORARY_FOLDER;
}
