# The chart, as make dist makes it.
chartserve package --version 0.1.0 --app-version 0.1.0 /opt/repository/charts/chartserve
