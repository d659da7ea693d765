/* The C entry point of isovec, the SQLite extension.
 *
 * A program that links isovec::isovec makes every new connection know its functions and its virtual table with
 *     sqlite3_auto_extension((void (*)(void))sqlite3_isovec_init);
 * or one connection with
 *     sqlite3_isovec_init(db, NULL, NULL);
 * This header needs no SQLite header. */
#ifndef ISOVEC_ISOVEC_H
#define ISOVEC_ISOVEC_H

#ifdef __cplusplus
extern "C" {
#endif

struct sqlite3;
struct sqlite3_api_routines;

/* Registers isovec on `db`.
 * On failure returns an SQLite result code and, where `error_message` is not NULL, sets it to a text that the
 * caller frees with sqlite3_free(). `api` is what SQLite hands to a loadable extension; a statically linked
 * program passes NULL. */
#if defined(_WIN32)
__declspec(dllexport)
#elif defined(__GNUC__)
__attribute__((visibility("default")))
#endif
int sqlite3_isovec_init(struct sqlite3* db, char** error_message, const struct sqlite3_api_routines* api);

#ifdef __cplusplus
}
#endif

#endif
