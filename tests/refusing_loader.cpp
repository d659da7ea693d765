// A loadable module that loads isovec (ISOVEC_MODULE) with one thing changed: of the conditions that SQLite
// offers to the table, a random part is withheld, as where their other side is not known yet. A query must
// give the same whatever is offered. ISOVEC_REFUSE_SEED seeds the choice.

#include <dlfcn.h>
#include <sqlite3ext.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>
SQLITE_EXTENSION_INIT1

namespace {

sqlite3_module changed_module;
sqlite3_api_routines changed_api;
int (*best_index)(sqlite3_vtab*, sqlite3_index_info*) = nullptr;
std::mt19937 choices;

// Conditions that the table left to SQLite to check again: all but MATCH and its inputs, without which there
// is no search.
std::vector<int> rechecked(const sqlite3_index_info& info) {
  std::vector<int> found;
  for (int i = 0; i < info.nConstraint; ++i) {
    if (info.aConstraintUsage[i].argvIndex > 0 && info.aConstraintUsage[i].omit == 0) found.push_back(i);
  }
  return found;
}

void forget_answer(sqlite3_index_info* info) {
  for (int i = 0; i < info->nConstraint; ++i) info->aConstraintUsage[i] = {};
  if (info->needToFreeIdxStr != 0) sqlite3_free(info->idxStr);
  info->idxNum = 0;
  info->idxStr = nullptr;
  info->needToFreeIdxStr = 0;
  info->orderByConsumed = 0;
  info->idxFlags = 0;
}

int refusing_best_index(sqlite3_vtab* table, sqlite3_index_info* info) {
  const int rc = best_index(table, info);
  if (rc != SQLITE_OK) return rc;
  std::vector<int> refused;
  for (const int i : rechecked(*info)) {
    if (choices() % 3 == 0) refused.push_back(i);
  }
  if (refused.empty()) return rc;
  forget_answer(info);
  for (const int i : refused) {
    sqlite3_vtab_in(info, i, 0);
    info->aConstraint[i].usable = 0;
  }
  return best_index(table, info);
}

int create_module(sqlite3* db, const char* name, const sqlite3_module* module, void* data,
                  void (*destroy)(void*)) {
  if (std::strcmp(name, "isovec") != 0) return sqlite3_api->create_module_v2(db, name, module, data, destroy);
  changed_module = *module;
  changed_module.iVersion = 3;  // what the copy holds
  best_index = module->xBestIndex;
  changed_module.xBestIndex = refusing_best_index;
  return sqlite3_api->create_module_v2(db, name, &changed_module, data, destroy);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int sqlite3_isovecrefusing_init(
    sqlite3* db, char** message, const sqlite3_api_routines* api) {
  SQLITE_EXTENSION_INIT2(api);
  const char* seed = std::getenv("ISOVEC_REFUSE_SEED");
  choices.seed(seed != nullptr ? static_cast<unsigned>(std::atoi(seed)) : 1U);
  const char* path = std::getenv("ISOVEC_MODULE");
  void* library = dlopen(path != nullptr ? path : "isovec.so", RTLD_NOW);
  using Init = int (*)(sqlite3*, char**, const sqlite3_api_routines*);
  Init init = nullptr;
  if (library != nullptr) {
    void* found = dlsym(library, "sqlite3_isovec_init");
    std::memcpy(&init, &found, sizeof init);
  }
  if (init == nullptr) {
    *message = sqlite3_mprintf("%s", dlerror());
    return SQLITE_ERROR;
  }
  changed_api = *api;
  changed_api.create_module_v2 = create_module;
  return init(db, message, &changed_api);
}
