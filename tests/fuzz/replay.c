/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c: a main() for a fuzz target that is built without libFuzzer: runs each corpus file, and each of its prefixes
 * (so a parser that reads past a cut-off end is caught by the sanitizers). TAP output. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILE_MAX   (256 * 1024)
#define PREFIX_MAX 2048

/* An exact-size copy, so that one byte too far is outside of the block. */
static void run_prefix(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (!copy)
        abort();
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static int run_file(const char *path)
{
    static uint8_t data[FILE_MAX];
    FILE *file = fopen(path, "rb");
    size_t size;

    if (!file)
        return -1;
    size = fread(data, 1, sizeof(data), file);
    fclose(file);
    run_prefix(data, size);
    for (size_t n = 0; n < size && n < PREFIX_MAX; n++)
        run_prefix(data, n);
    return 0;
}

int main(int argc, char **argv)
{
    const char *src = getenv("SIPWAY_SRC");
    const char *name = strstr(argv[0], "fuzz_");
    char folder[1024], path[2048];
    struct dirent *entry;
    unsigned count = 0;
    DIR *dir;

    while (name && strstr(name + 1, "fuzz_"))
        name = strstr(name + 1, "fuzz_");
    snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/%s", src ? src : ".", name ? name + 5 : "");
    dir = argc > 1 ? NULL : opendir(folder);
    for (int i = 1; i < argc; i++)
        count += run_file(argv[i]) == 0;
    while (dir && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        count += run_file(path) == 0;
    }
    if (dir)
        closedir(dir);
    printf("1..1\n%sok 1 - %u inputs of %s and their prefixes\n", count ? "" : "not ", count, folder);
    return count ? 0 : 1;
}
