# SPDX-License-Identifier: BSD-2-Clause
# kdump.gp: gnuplot -e "data='FILE'; svg='FILE'" kdump.gp
set terminal svg size 640,360 font "sans-serif,13" background "white"
set output svg
set logscale x 2
set xlabel "memory, GiB"
set ylabel "seconds after the panic"
set xrange [0.8:20]
set yrange [0:*]
set xtics (1, 4, 16)
set key top left
set grid ytics lc rgb "#dddddd"
plot data using 1:3 with linespoints lw 2 pt 7 lc rgb "#d08030" \
	title "kdump: dump on disk", \
    data using 1:5 with linespoints lw 2 pt 7 dt 2 lc rgb "#d08030" \
	title "kdump: usable again", \
    data using 1:2 with linespoints lw 2 pt 5 lc rgb "#2060a0" \
	title "Swapcore: dump on disk", \
    data using 1:4 with linespoints lw 2 pt 5 dt 2 lc rgb "#2060a0" \
	title "Swapcore: usable again"
