// Loaded into a program with LD_PRELOAD (see shim.ts). For the files below one folder it writes down, in their order
// over all threads and processes, the calls that change them, it can make their disk seem full, and it can kill whoever is
// about to make one of these calls. A call that it does not know (copy_file_range, fallocate, a write through mapped memory) shows when a recording is compared with the
// folder: see recording.ts.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { CREATE = 1, MKDIR, WRITE, TRUNCATE, FSYNC, FDATASYNC, RENAME, LINK, UNLINK, RMDIR, SYMLINK, SYNCFS };

// A record: this, then the names (each with its terminating zero, relative to the folder), then the bytes written.
struct header {
  uint32_t size, kind, names, unused;
  uint64_t inode, offset;
};

#define NEXT(name) ({                                                      \
  static __typeof__(&name) next;                                           \
  if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name);            \
  next;                                                                    \
})

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static const char *folder;
static const char *boot_id; // file to be read instead of the kernel's; none if null
static size_t folder_length;
static int log_file = -1, lock_file = -1;
static int64_t *room; // bytes that the files may still grow by, shared with all processes; no limit if null
static int64_t *calls_left; // calls until everybody who makes one is killed, shared with all processes; never if null
static pthread_mutex_t threads = PTHREAD_MUTEX_INITIALIZER;

static void fail(const char *what) {
  perror(what);
  abort();
}

static int64_t *share_number(const char *path) {
  lock_file = NEXT(open)(path, O_RDWR | O_CLOEXEC);
  int64_t *number = mmap(NULL, sizeof *number, PROT_READ | PROT_WRITE, MAP_SHARED, lock_file, 0);
  if (lock_file < 0 || number == MAP_FAILED) fail(path);
  return number;
}

__attribute__((constructor)) static void start(void) {
  const char *log_path = getenv("IVY_FAULTS_LOG"), *room_path = getenv("IVY_FAULTS_ROOM");
  const char *below = getenv("IVY_FAULTS_BELOW"), *kill_path = getenv("IVY_FAULTS_KILL");
  if (!below || (!log_path && !room_path && !kill_path)) return;
  if (log_path && (log_file = NEXT(open)(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0) fail(log_path);
  if (room_path) room = share_number(room_path);
  if (kill_path) calls_left = share_number(kill_path);
  if (log_path) lock_file = log_file;
  boot_id = getenv("IVY_FAULTS_BOOT_ID");
  folder_length = strlen(below);
  folder = below;
}

// The kernel's lock is one a process, so threads need one of their own; and it ends with a process that is killed.
static void enter(void) {
  pthread_mutex_lock(&threads);
  while (flock(lock_file, LOCK_EX) < 0 && errno == EINTR);
  // Whoever comes later meets the same fate: nothing of that folder changes any more.
  if (calls_left && __atomic_sub_fetch(calls_left, 1, __ATOMIC_SEQ_CST) <= 0) kill(getpid(), SIGKILL);
}

static void leave(void) {
  int error = errno;
  flock(lock_file, LOCK_UN);
  pthread_mutex_unlock(&threads);
  errno = error;
}

static int is_below(const char *path) {
  return strncmp(path, folder, folder_length) == 0 && path[folder_length] == '/';
}

// Asked of the kernel each time: libuv closes descriptors behind the back of a preloaded close().
static int path_of(int fd, char path[PATH_MAX]) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  path[length < 0 ? 0 : length] = 0;
  return length > 0;
}

static int is_ours(int fd) {
  char path[PATH_MAX];
  return folder && path_of(fd, path) && (is_below(path) || strcmp(path, folder) == 0);
}

static int resolve(int dir, const char *name, char path[PATH_MAX]) {
  if (!folder) return 0;
  if (name[0] == '/') snprintf(path, PATH_MAX, "%s", name);
  else {
    if (dir == AT_FDCWD ? !getcwd(path, PATH_MAX) : !path_of(dir, path)) return 0;
    size_t length = strlen(path);
    snprintf(path + length, PATH_MAX - length, "/%s", name);
  }
  return is_below(path);
}

static void note(enum kind kind, uint64_t inode, uint64_t offset, const char *names[2], const void *bytes, size_t size) {
  if (log_file < 0) return;
  struct header header = {.kind = kind, .inode = inode, .offset = offset};
  struct iovec parts[4] = {{&header, sizeof header}, {NULL, 0}, {NULL, 0}, {(void *)bytes, size}};
  for (int i = 0; i < 2; i++) {
    if (!names || !names[i]) continue;
    char *name = (char *)names[i] + folder_length + 1;
    parts[i + 1] = (struct iovec){name, strlen(name) + 1};
    header.names += strlen(name) + 1;
  }
  header.size = sizeof header + header.names + size;
  if (NEXT(writev)(log_file, parts, 4) != (ssize_t)header.size) fail("the recorder cannot write its log");
}

static void take_room(int64_t bytes) {
  if (room) __atomic_fetch_sub(room, bytes, __ATOMIC_SEQ_CST);
}

static int64_t room_left(void) {
  return room ? __atomic_load_n(room, __ATOMIC_SEQ_CST) : INT64_MAX;
}

// How much of a write fits on the disk: it is short where not all does, as the kernel's own are.
static size_t that_fits(off_t size_before, off_t offset, size_t size) {
  int64_t growth = offset + (off_t)size - size_before, excess = growth - room_left();
  if (growth <= 0 || excess <= 0) return size;
  return excess >= (int64_t)size ? 0 : size - excess;
}

static ssize_t write_at(int fd, const void *bytes, size_t size, off_t offset) {
  struct stat before;
  enter();
  fstat(fd, &before);
  int appends = fcntl(fd, F_GETFL) & O_APPEND;
  off_t at = appends ? before.st_size : offset >= 0 ? offset : lseek(fd, 0, SEEK_CUR);
  size_t fits = that_fits(before.st_size, at, size);
  ssize_t written = -1;
  if (fits == 0 && size > 0) errno = ENOSPC;
  else written = offset >= 0 ? NEXT(pwrite)(fd, bytes, fits, offset) : NEXT(write)(fd, bytes, fits);
  if (written > 0) {
    off_t growth = at + written - before.st_size;
    if (growth > 0) take_room(growth);
    note(WRITE, before.st_ino, at, NULL, bytes, written);
  }
  leave();
  return written;
}

ssize_t write(int fd, const void *bytes, size_t size) {
  return is_ours(fd) ? write_at(fd, bytes, size, -1) : NEXT(write)(fd, bytes, size);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
  return is_ours(fd) ? write_at(fd, bytes, size, offset) : NEXT(pwrite)(fd, bytes, size, offset);
}

static ssize_t write_parts(int fd, const struct iovec *parts, int count, off_t offset) {
  size_t size = 0, filled = 0;
  for (int i = 0; i < count; i++) size += parts[i].iov_len;
  char *whole = malloc(size + 1);
  if (!whole) fail("the recorder is out of memory");
  for (int i = 0; i < count; filled += parts[i++].iov_len) memcpy(whole + filled, parts[i].iov_base, parts[i].iov_len);
  ssize_t written = write_at(fd, whole, size, offset);
  int error = errno;
  free(whole);
  errno = error;
  return written;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  return is_ours(fd) ? write_parts(fd, parts, count, -1) : NEXT(writev)(fd, parts, count);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  return is_ours(fd) ? write_parts(fd, parts, count, offset) : NEXT(pwritev)(fd, parts, count, offset);
}

int ftruncate(int fd, off_t size) {
  struct stat before;
  if (!is_ours(fd)) return NEXT(ftruncate)(fd, size);
  enter();
  fstat(fd, &before);
  int result = NEXT(ftruncate)(fd, size);
  if (result == 0) {
    take_room(size - before.st_size); // of a hole as well, but a full disk does not prevent one
    note(TRUNCATE, before.st_ino, size, NULL, NULL, 0);
  }
  leave();
  return result;
}

// What was recorded before the call began is on the disk once it has returned; what came meanwhile may be or not.
static int sync_with(int (*call)(int), enum kind kind, int fd) {
  struct stat begun = {0}, file;
  if ((log_file < 0 && !calls_left) || !is_ours(fd)) return call(fd);
  enter();
  leave();
  if (log_file >= 0) fstat(log_file, &begun);
  int result = call(fd);
  if (result == 0 && fstat(fd, &file) == 0) note(kind, file.st_ino, begun.st_size, NULL, NULL, 0);
  return result;
}

int fsync(int fd) { return sync_with(NEXT(fsync), FSYNC, fd); }

int fdatasync(int fd) { return sync_with(NEXT(fdatasync), FDATASYNC, fd); }

int syncfs(int fd) { return sync_with(NEXT(syncfs), SYNCFS, fd); }

int openat(int dir, const char *name, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
  va_end(more);
  char path[PATH_MAX];
  struct stat before, after;
  if (boot_id && strcmp(name, BOOT_ID) == 0) name = boot_id;
  if (!(flags & (O_CREAT | O_TRUNC)) || !resolve(dir, name, path)) return NEXT(openat)(dir, name, flags, mode);
  enter();
  int was_there = stat(path, &before) == 0;
  int fd = NEXT(openat)(dir, name, flags, mode);
  if (fd >= 0 && fstat(fd, &after) == 0) {
    if (!was_there) note(CREATE, after.st_ino, 0, (const char *[2]){path}, NULL, 0);
    else if (flags & O_TRUNC) {
      take_room(-before.st_size);
      note(TRUNCATE, after.st_ino, 0, NULL, NULL, 0);
    }
  }
  leave();
  return fd;
}

int open(const char *name, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
  va_end(more);
  return openat(AT_FDCWD, name, flags, mode);
}

int mkdirat(int dir, const char *name, mode_t mode) {
  char path[PATH_MAX];
  struct stat made;
  if (!resolve(dir, name, path)) return NEXT(mkdirat)(dir, name, mode);
  enter();
  int result = NEXT(mkdirat)(dir, name, mode);
  if (result == 0 && stat(path, &made) == 0) note(MKDIR, made.st_ino, 0, (const char *[2]){path}, NULL, 0);
  leave();
  return result;
}

int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

int symlinkat(const char *target, int dir, const char *name) {
  char path[PATH_MAX];
  if (!resolve(dir, name, path)) return NEXT(symlinkat)(target, dir, name);
  enter();
  int result = NEXT(symlinkat)(target, dir, name);
  if (result == 0) note(SYMLINK, 0, 0, (const char *[2]){path}, target, strlen(target));
  leave();
  return result;
}

int symlink(const char *target, const char *name) { return symlinkat(target, AT_FDCWD, name); }

static void give_room_of(const struct stat *gone) {
  if (S_ISREG(gone->st_mode) && gone->st_nlink == 1) take_room(-gone->st_size);
}

int unlinkat(int dir, const char *name, int flags) {
  char path[PATH_MAX];
  struct stat before = {0};
  if (!resolve(dir, name, path)) return NEXT(unlinkat)(dir, name, flags);
  enter();
  lstat(path, &before);
  int result = NEXT(unlinkat)(dir, name, flags);
  if (result == 0) {
    give_room_of(&before);
    note(flags & AT_REMOVEDIR ? RMDIR : UNLINK, before.st_ino, 0, (const char *[2]){path}, NULL, 0);
  }
  leave();
  return result;
}

int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }

int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }

int remove(const char *name) {
  struct stat file;
  return unlinkat(AT_FDCWD, name, lstat(name, &file) == 0 && S_ISDIR(file.st_mode) ? AT_REMOVEDIR : 0);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
  char from_path[PATH_MAX], to_path[PATH_MAX];
  struct stat replaced = {0};
  if (!resolve(from_dir, from, from_path) || !resolve(to_dir, to, to_path))
    return NEXT(renameat2)(from_dir, from, to_dir, to, flags);
  enter();
  lstat(to_path, &replaced);
  int result = NEXT(renameat2)(from_dir, from, to_dir, to, flags);
  if (result == 0) {
    give_room_of(&replaced);
    note(RENAME, 0, 0, (const char *[2]){from_path, to_path}, NULL, 0);
  }
  leave();
  return result;
}

int renameat(int from_dir, const char *from, int to_dir, const char *to) {
  return renameat2(from_dir, from, to_dir, to, 0);
}

int rename(const char *from, const char *to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
  char from_path[PATH_MAX], to_path[PATH_MAX];
  if (!resolve(from_dir, from, from_path) || !resolve(to_dir, to, to_path))
    return NEXT(linkat)(from_dir, from, to_dir, to, flags);
  enter();
  int result = NEXT(linkat)(from_dir, from, to_dir, to, flags);
  if (result == 0) note(LINK, 0, 0, (const char *[2]){from_path, to_path}, NULL, 0);
  leave();
  return result;
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

// The same functions on 64-bit Linux, by the names that SQLite and libuv were linked with.
int open64(const char *, int, ...) __attribute__((alias("open")));
int openat64(int, const char *, int, ...) __attribute__((alias("openat")));
ssize_t pwrite64(int, const void *, size_t, off64_t) __attribute__((alias("pwrite")));
ssize_t pwritev64(int, const struct iovec *, int, off64_t) __attribute__((alias("pwritev")));
int ftruncate64(int, off64_t) __attribute__((alias("ftruncate")));
