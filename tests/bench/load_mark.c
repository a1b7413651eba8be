/* SPDX-License-Identifier: Apache-2.0 */
/* load_mark.c: the lines the bench script reads, each with the CPU time that the watched processes have used up to that
 * very moment: the script itself may be scheduled late. */
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "load.h"

static const char *watched = "";

void mark_watch(const char *pids)
{
    watched = pids ? pids : "";
}

/* ns on the CPU of one thread: first number of its schedstat */
static unsigned long long thread_ns(const char *task, const char *tid)
{
    char path[384], text[64] = "";
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s/schedstat", task, tid);
    file = fopen(path, "r");
    if (!file)
        return 0;
    if (!fgets(text, sizeof(text), file))
        text[0] = 0;
    fclose(file);
    return strtoull(text, NULL, 10);
}

static unsigned long long process_ns(long pid)
{
    unsigned long long sum = 0;
    struct dirent *entry;
    char task[64];
    DIR *dir;

    snprintf(task, sizeof(task), "/proc/%ld/task", pid);
    dir = opendir(task);
    if (!dir)
        return 0;
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] != '.')
            sum += thread_ns(task, entry->d_name);
    }
    closedir(dir);
    return sum;
}

static double cpu_us(void)
{
    unsigned long long sum = 0;
    const char *at = watched;

    while (*at) {
        char *next;

        sum += process_ns(strtol(at, &next, 10));
        at = *next == ',' ? next + 1 : next;
    }
    return (double)sum / 1000;
}

static double clock_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

void mark_plain(const char *name)
{
    printf("{\"mark\":\"%s\",\"cpu_us\":%.1f,\"at_ms\":%.3f}\n", name, cpu_us(), clock_ms());
    fflush(stdout);
}

void mark(const char *name, const char *fields, ...)
{
    va_list args;

    printf("{\"mark\":\"%s\",\"cpu_us\":%.1f,\"at_ms\":%.3f,", name, cpu_us(), clock_ms());
    va_start(args, fields);
    vprintf(fields, args);
    va_end(args);
    printf("}\n");
    fflush(stdout);
}
